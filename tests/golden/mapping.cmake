# Mappings with tests of their own, run by `relance test`: what records of each format are.
file(GLOB mapping_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/mapping/*.jsonc)
foreach(file ${mapping_files})
  get_filename_component(name ${file} NAME_WE)
  add_test(NAME golden_mapping_${name} COMMAND relance test --coverage ${file})
endforeach()
