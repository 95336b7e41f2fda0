package pm

// recipientCase is how the deployed network's recipient answers one sender.
type recipientCase struct {
	Name                                        string
	ClaimedByRecipient, ClaimedInCurrentRound   decimal
	Deposit, FundsRemaining, PoolSize           decimal
	EV, GasPrice, MaxFaceValue, LastSeenL1Block decimal
	PricePerPixel                               string
	RedeemGas, TxCostMultiplier                 int
	MaxFloat                                    decimal
	FaceValue, WinProb, ExpirationBlock         decimal
	TicketEV, TxCostMultiplierResult            string
	Error                                       string
}
