"""Item response theory on files: `irt calibrate | score | fit | link | dif | simulate`; no server is needed."""
