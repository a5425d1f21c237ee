"""THE QUEUE DOOR (任务队列): what follows a commit, done by workers.

``python -m workers`` (which is ``medfund worker``) moves the outbox and works the queue off.
``dramatiq workers`` adds hands to the queue, nothing else.
"""

import sys

if "dramatiq.cli" in sys.modules:
    # Dramatiq's own command line imports what it is told and then takes the broker it finds set.
    # Nobody else may get a broker by importing this package.
    from workers import under_dramatiq

    under_dramatiq.prepare()
