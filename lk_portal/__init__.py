"""lk-portal: the personal cabinet of an electricity utility's household subscribers."""

__version__ = "0.1.0"
