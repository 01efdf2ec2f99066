"""Files of psychometric work, used without a server: responses, options with their key, models, parameters, scores.

Formats: docs/formats/irt.md. What is wrong is named with file, line and column; what is written appears whole or not.
"""
