// Package pm implements Livepeer's probabilistic micropayments: lottery tickets
// that a sender signs, a recipient checks, and a contract pays when they win.
//
// The package has no network, no disk, no logger and no state that outlives the
// values it hands out.
package pm
