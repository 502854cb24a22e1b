"""Training: fit at past cut-offs, evaluate on the weeks after, gate, champion."""
