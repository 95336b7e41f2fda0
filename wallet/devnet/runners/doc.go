// Package runners has the live runners of the local network: apps that are paid for over HTTP
// with status 402, in the deployed node's words and statuses. Their app is an echo.
//
// A Cashier, which is the recipient, makes the offers, takes the payments and counts what each
// session is credited. This package has the rest: which runners there are, their prices and
// room, and the sessions, each with what its units cost so far. A session whose cost exceeds its
// credit ends. Nothing runs in the background: what is due is reckoned whenever a session is
// looked at, in whole intervals since it began, so that a clock decides alone.
package runners
