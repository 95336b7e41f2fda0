// Package contract has the deployed contracts' interfaces, as far as a sender and a
// recipient use them, and bindings generated from them.
//
// The interfaces are the JSON files in abi; the bindings pack calls and unpack
// answers and events, and send nothing. They are made anew with:
//
//	make gen
//
// Two things to know of them: a Pack method panics on a value that its type cannot
// hold, a nil number among them, so check first; and what answers at a contract's
// address may be shorter than expected, which the Unpack methods report as errors.
package contract
