# cart_stream, shop_stream: the streams of the benches and of some end-to-end tests, with the exact answers to them.
add_executable(cart_stream stream/cart_stream.c stream/stream.c)
add_executable(shop_stream stream/shop_stream.c stream/shop_answer.c stream/stream.c)
foreach(program cart_stream shop_stream)
  target_link_libraries(${program} PRIVATE relance_flags PkgConfig::RDKAFKA)
endforeach()
