// Package remote is a remote signer's server: gateways and SDKs that hold no key ask it over
// HTTP for signed payments.
package remote
