# Mapping files: what the language does, in their own tests; and mistakes (mistakes/NAME.jsonc and NAME.txt).
add_executable(golden_mappings mappings/golden_mappings.c)
target_include_directories(golden_mappings PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(golden_mappings PRIVATE rules_mapping)
file(GLOB golden_mappings_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/mappings/*.jsonc ${CMAKE_CURRENT_LIST_DIR}/mappings/mistakes/*.jsonc)
add_test(NAME golden_mappings COMMAND golden_mappings ${CMAKE_CURRENT_LIST_DIR}/mappings/presets ${golden_mappings_files})
