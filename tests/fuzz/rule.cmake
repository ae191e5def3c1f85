# The core as an embedding program sees it: rule files, streams of events, saved states, what partitions tell each other.
foreach(name rule_files events_stream state_blob link_record)
  relance_fuzz(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c LINK rules_rule)
  if(TARGET fuzz_${name})
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_CURRENT_LIST_DIR})
  endif()
endforeach()
