# The presets' own tests, and the mappings that their comments show.
add_test(NAME conformance_presets COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/presets.py $<TARGET_FILE:map_tool>)
