"""What a store delivered, brought in: collected at the border, then loaded as versions."""
