"""Blueprints, forms, paper codes and the keyless compiled form."""
