{{ mhclg_lsoas(source('raw_mhclg', 'mhclg__imd_2025')) }}
