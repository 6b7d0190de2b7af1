# no names: Tensor's [], which is attached at import
