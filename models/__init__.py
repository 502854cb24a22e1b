"""The models: frames and arrays in, frames and arrays out."""
