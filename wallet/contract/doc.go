// Package contract has the parts of the deployed contracts' interfaces that a sender and a
// recipient use, and bindings generated from them.
//
// The interfaces are the JSON files in abi; the bindings pack calls and unpack answers and
// events, and send nothing. They are generated with:
//
//	make gen
//
// Note that a Pack method panics on a value that its type cannot hold, a nil number among them,
// so check first; and that an answer may be shorter than expected, which the Unpack methods
// report as errors.
package contract
