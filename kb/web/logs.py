"""What the logs leave out: nothing of these filters needs Django."""

import logging


class ShortRefusals(logging.Filter):
    """Who may not see a page is a line in the log, not a failure with its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", None) == 403:
            record.exc_info = record.exc_text = None
        return True


class OnPurpose(logging.Filter):
    """Granian warns of many threads for few cores. Checks wait for the network, so theirs cost no core."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads, which seems quite high" not in record.getMessage()
