//go:build !cgo

package main

// cgo tells that signatures are made by the library in C.
const cgo = false
