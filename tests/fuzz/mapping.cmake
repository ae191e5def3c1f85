# Mappings: any record through the presets, and any bytes as a mapping.
foreach(name mapping_records mapping_files)
  relance_fuzz(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c LINK rules_mapping)
  if(TARGET fuzz_${name})
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
    target_compile_definitions(fuzz_${name} PRIVATE PRESETS_DIR="${CMAKE_SOURCE_DIR}/rules/presets")
  endif()
endforeach()
