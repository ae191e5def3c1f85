# The core as an embedding program sees it: rule files, streams of events, saved states.
foreach(name rule_files events_stream state_blob)
  relance_fuzz(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c LINK rules_rule)
  if(TARGET fuzz_${name})
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_CURRENT_LIST_DIR})
  endif()
endforeach()
