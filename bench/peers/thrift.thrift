// What bench/peers/thrift.cpp calls.
namespace cpp bench_thrift

service Bench {
  i64 call(1: i32 kind, 2: i32 a, 3: i32 b, 4: binary bytes),
  oneway void notify(1: i32 a, 2: i32 b)
}
