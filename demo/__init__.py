"""The demo store: two years of real orders, written as the landing zone of a store."""
