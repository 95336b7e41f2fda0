// Package topup decides when a sender's deposit and reserve are topped up, and by how much. Decide
// is the rule: state in, amounts or a reason out, in whole wei and without I/O. A Keeper applies it
// to a World, each top-up once.
package topup
