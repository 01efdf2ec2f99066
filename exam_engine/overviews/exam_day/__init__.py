"""An exam day before it happens: is its plan sound, are the machines ready, and what will the day ask of them?"""
