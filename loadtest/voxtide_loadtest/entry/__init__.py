"""What locust loads by its path: alone, since locust looks for modules in the folder first."""
