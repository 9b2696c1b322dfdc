"""Sessions that trade as time goes by."""
