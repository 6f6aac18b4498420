// Compares what the library says of a vendor's functions with the vendor's own prototypes, when it is compiled.
//
// Two parameters agree when a call passes them alike: pointers with pointers, integers and enums of one size, structs
// of one size. A function that may be missing at run time may be missing in a header, too: the program prints those.
#pragma once

#include <cstdio>
#include <type_traits>

#include "vendor_library.h"

struct Absent {};  // what ::name is when the header does not declare it

template <class Ours, class Theirs>
constexpr bool alike() {
    if constexpr (std::is_pointer_v<Ours> || std::is_pointer_v<Theirs>) {
        return std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>;
    } else if constexpr (std::is_void_v<Ours> || std::is_void_v<Theirs>) {
        return std::is_void_v<Ours> && std::is_void_v<Theirs>;
    } else {
        constexpr bool whole = std::is_integral_v<Ours> || std::is_enum_v<Ours>;
        constexpr bool wholes = std::is_integral_v<Theirs> || std::is_enum_v<Theirs>;
        return whole == wholes && std::is_class_v<Ours> == std::is_class_v<Theirs> && sizeof(Ours) == sizeof(Theirs);
    }
}

template <class Ours, class Theirs>
struct Same : std::false_type {};
template <class R1, class... P1, class R2, class... P2>
struct Same<R1(P1...), R2(P2...)> {
    static constexpr bool agree() {
        if constexpr (sizeof...(P1) != sizeof...(P2)) {
            return false;
        } else {
            return alike<R1, R2>() && (alike<P1, P2>() && ...);
        }
    }
    static constexpr bool value = agree();
};
template <class Ours, class R2, class... P2>
struct Same<Ours, R2(P2...) noexcept> : Same<Ours, R2(P2...)> {};

template <class Ours, class Theirs, plm::Need need>
constexpr bool declared_alike() {
    if constexpr (std::is_same_v<std::remove_const_t<Theirs>, Absent>) {
        return need == plm::Need::may;
    } else {
        return Same<Ours, Theirs>::value;
    }
}

// Looked up only when the header has no ::name of its own: names that a using-directive brings count less.
#define PLM_ABSENT(name, result, parameters, need, without) constexpr Absent name{};

#define PLM_COMPARE(name, result, parameters, need, without)                                      \
    static_assert(declared_alike<result parameters, decltype(::name), plm::Need::need>(),         \
                  #name " is declared in another way by the vendor's header, or not at all");

#define PLM_COUNT(name, result, parameters, need, without)                                        \
    if (std::is_same_v<std::remove_const_t<decltype(::name)>, Absent>) {                          \
        std::printf("headers: %s is not in these headers: " without "\n", #name);                 \
    }
