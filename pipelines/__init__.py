"""The steps of one night, in story order: ingest, validate, features, training, scoring, monitoring, publishing."""

import os

# OpenMP threads that spin while they wait take the cores from whoever works; read when xgboost or torch is loaded
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
