"""What an executor decides, without the exchange and without a clock."""
