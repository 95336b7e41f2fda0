// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";

/// @title RoundsManager
/// @notice Divides time into rounds of a fixed number of L1 blocks. A round begins
/// on its own and any account may initialize it; only then can tickets be
/// redeemed in it.
contract RoundsManager is Managed {
    /// @notice The length of a round in L1 blocks.
    uint256 public immutable roundLength;

    /// @notice How far the L1 block number is ahead of this chain's own.
    uint256 public immutable l1Offset;

    /// @notice The L1 block at which round 1 began.
    uint256 public immutable firstBlock;

    uint256 public lastInitializedRound;

    /// @notice The hash of the block before the one that initialized a round.
    mapping(uint256 => bytes32) public blockHashForRound;

    event NewRound(uint256 indexed round, bytes32 blockHash);

    constructor(Controller _controller, uint256 _roundLength, uint256 _l1Offset) Managed(_controller) {
        require(_roundLength > 0, "round length cannot be 0");
        roundLength = _roundLength;
        l1Offset = _l1Offset;
        firstBlock = block.number + _l1Offset;
    }

    function initializeRound() external whenSystemNotPaused {
        uint256 round = currentRound();
        require(lastInitializedRound < round, "round already initialized");

        bytes32 roundBlockHash = blockhash(block.number - 1);
        lastInitializedRound = round;
        blockHashForRound[round] = roundBlockHash;

        emit NewRound(round, roundBlockHash);
    }

    /// @return The L1 block number.
    function blockNum() public view returns (uint256) {
        return block.number + l1Offset;
    }

    function currentRound() public view returns (uint256) {
        return 1 + (blockNum() - firstBlock) / roundLength;
    }

    /// @return The L1 block at which the current round began.
    function currentRoundStartBlock() external view returns (uint256) {
        return firstBlock + (currentRound() - 1) * roundLength;
    }

    function currentRoundInitialized() external view returns (bool) {
        return lastInitializedRound == currentRound();
    }

    /// @return false: rounds are never locked here, since no stake changes.
    function currentRoundLocked() external pure returns (bool) {
        return false;
    }
}
