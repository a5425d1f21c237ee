"""Use-cases (业务办理): what people do with the books; they never decide from a projection."""
