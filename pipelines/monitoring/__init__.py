"""How the models did and whether the volumes are as usual."""
