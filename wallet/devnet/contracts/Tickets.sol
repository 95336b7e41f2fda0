// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A signed promise to pay faceValue with the chance winProb / (2^256 - 1).
struct Ticket {
    address recipient;
    address sender;
    uint256 faceValue; // wei
    uint256 winProb;
    uint256 senderNonce;
    bytes32 recipientRandHash;
    bytes auxData; // creationRound, then creationRoundBlockHash: 64 bytes
}

/// @title Tickets
/// @notice What can be said of a ticket without looking at any account.
library Tickets {
    // Half the order of secp256k1: a signature with a higher S has a twin below.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    function hash(Ticket memory _ticket) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                _ticket.recipient,
                _ticket.sender,
                _ticket.faceValue,
                _ticket.winProb,
                _ticket.senderNonce,
                _ticket.recipientRandHash,
                _ticket.auxData
            )
        );
    }

    function wins(Ticket memory _ticket, bytes memory _sig, uint256 _recipientRand) internal pure returns (bool) {
        return uint256(keccak256(abi.encodePacked(_sig, _recipientRand))) < _ticket.winProb;
    }

    /// @notice The signer of a personal message that consists of _hash.
    function signer(bytes32 _hash, bytes memory _sig) internal pure returns (address) {
        require(_sig.length == 65, "INVALID_SIGNATURE_LENGTH");
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly {
            r := mload(add(_sig, 0x20))
            s := mload(add(_sig, 0x40))
            v := byte(0, mload(add(_sig, 0x60)))
        }
        require(uint256(s) <= MAX_S, "ECDSA: invalid signature 's' value");
        require(v == 27 || v == 28, "ECDSA: invalid signature 'v' value");

        bytes32 digest = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", _hash));
        address recovered = ecrecover(digest, v, r, s);
        require(recovered != address(0), "ECDSA: invalid signature");
        return recovered;
    }
}
