"""Payment methods (支付方式), each a small pure module: its formula, its source, no other method."""
