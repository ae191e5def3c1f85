# What orders come to: shuffled histories against a second implementation, and real shops against what is published of them.
add_test(NAME conformance_sales COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/sales.py $<TARGET_FILE:forgetful> 1-60)
set_tests_properties(conformance_sales PROPERTIES SKIP_RETURN_CODE 77)
