"""What an executor has decided and learnt, kept before it is done."""
