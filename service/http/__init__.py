"""HTTP: limits, JSON, routes and errors around the tasks; knows no model and no BentoML."""
