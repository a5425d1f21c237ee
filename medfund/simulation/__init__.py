"""The simulator (模拟器): a bureau at work while everything around it fails, all of it from one seed.

The code that runs is the product's own, on a real SQLite file; simulated are only the people, the
clock, the queue, who gets the processor next, and what breaks when. The same seed gives the same
run to the byte, so a run that breaks a rule of the books can be played again.
"""
