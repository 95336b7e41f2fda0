//go:build !cgo

package main

// cgo is set if the C library makes the signatures.
const cgo = false
