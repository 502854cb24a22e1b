"""What was collected, checked before it is loaded: bad rows to quarantine, a bad partition stops the night."""
