# no names: algorithms of convolutions, which register themselves at import
