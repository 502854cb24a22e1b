"""The parts of the sequence transformer: arrays in, arrays out, nothing but torch and numpy."""
