"""One-stop settlement (一站式结算): the layers that pay for one settlement, in their order."""
