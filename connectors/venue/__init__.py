"""An exchange as ccxt knows it: how it is reached and asked, and what its errors mean."""
