"""Blueprints, stratified draw, paper codes, compiled papers."""
