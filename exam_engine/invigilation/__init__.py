"""The room as the invigilator sees it: presence, time, messages."""
