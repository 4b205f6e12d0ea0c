@0xb0a3d7c1f6f2e4a1;
# What bench/peers/capnp.cpp calls.

interface Bench {
  call @0 (kind :UInt32, a :UInt32, b :UInt32, bytes :Data) -> (value :UInt64);
}
