# Real shops' data, replayed, and the same answers from SQL; skipped where the data are absent.
foreach(name cdnow online_retail rees46)
  add_test(NAME conformance_real_data_${name}
    COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/real_data.py $<TARGET_FILE:relance> ${name})
  set_tests_properties(conformance_real_data_${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
# What their orders come to, and the answers that are known of them.
foreach(name cdnow online_retail)
  add_test(NAME conformance_real_sales_${name}
    COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/real_sales.py $<TARGET_FILE:relance> ${name})
  set_tests_properties(conformance_real_sales_${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
