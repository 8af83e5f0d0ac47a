//! Linear systems of cells in a row.

use super::Cell;

type Block<const B: usize> = [[f64; B]; B];

/// A block-tridiagonal matrix.
pub(super) struct Blocks<const B: usize> {
    /// Blocks left of, on and right of the diagonal, by cell.
    sides: [Vec<Block<B>>; 3],
}

impl<const B: usize> Blocks<B> {
    pub(super) fn zero(cells: usize) -> Self {
        Self { sides: std::array::from_fn(|_| vec![[[0.0; B]; B]; cells]) }
    }

    /// Blocks of one side: 0 before, 1 here, 2 after.
    pub(super) fn side_mut(&mut self, side: usize) -> &mut [Block<B>] {
        &mut self.sides[side]
    }

    /// The solution for a right-hand side by block elimination, or none for a singular matrix.
    pub(super) fn solve(self, right: &[Cell<B>]) -> Option<Vec<Cell<B>>> {
        let [before, mut here, mut after] = self.sides;
        let mut solution = right.to_vec();
        for index in 0..solution.len() {
            if index > 0 {
                for row in 0..B {
                    for inner in 0..B {
                        let factor = before[index][row][inner];
                        for column in 0..B {
                            here[index][row][column] -= factor * after[index - 1][inner][column];
                        }
                        solution[index][row] -= factor * solution[index - 1][inner];
                    }
                }
            }
            eliminate(&mut here[index], &mut after[index], &mut solution[index])?;
        }
        for index in (0..solution.len().saturating_sub(1)).rev() {
            for row in 0..B {
                for column in 0..B {
                    solution[index][row] -= after[index][row][column] * solution[index + 1][column];
                }
            }
        }
        solution.iter().flatten().all(|value| value.is_finite()).then_some(solution)
    }
}

/// Multiplies `block` and `right` by the inverse of `matrix`: elimination with scaled row pivoting.
fn eliminate<const B: usize>(matrix: &mut Block<B>, block: &mut Block<B>, right: &mut Cell<B>) -> Option<()> {
    for row in 0..B {
        let largest = matrix[row].iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        let scale = largest.recip();
        matrix[row].iter_mut().chain(block[row].iter_mut()).for_each(|value| *value *= scale);
        right[row] *= scale;
    }
    for column in 0..B {
        let pivot = (column..B)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))
            .filter(|&row| matrix[row][column] != 0.0)?;
        matrix.swap(column, pivot);
        block.swap(column, pivot);
        right.swap(column, pivot);
        let scale = matrix[column][column].recip();
        matrix[column].iter_mut().chain(block[column].iter_mut()).for_each(|value| *value *= scale);
        right[column] *= scale;
        for row in (0..B).filter(|&row| row != column) {
            let factor = matrix[row][column];
            for other in 0..B {
                matrix[row][other] -= factor * matrix[column][other];
                block[row][other] -= factor * block[column][other];
            }
            right[row] -= factor * right[column];
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_with_a_zero_on_the_diagonal_is_solved() {
        let mut blocks = Blocks::<2>::zero(3);
        let mut dense = [[0.0; 6]; 6];
        for index in 0..3_usize {
            for side in 0..3_usize {
                let Some(other) = (index + side).checked_sub(1).filter(|&other| other < 3) else { continue };
                for row in 0..2 {
                    for column in 0..2 {
                        let value = if side == 1 && row == column && row == 0 {
                            0.0
                        } else {
                            ((7 * index + 3 * side + 5 * row + 11 * column) % 13) as f64 - 4.5
                        };
                        blocks.side_mut(side)[index][row][column] = value;
                        dense[2 * index + row][2 * other + column] = value;
                    }
                }
            }
        }
        let right = [[1.0, 2.0], [-3.0, 0.5], [4.0, 1.5]];
        let found = blocks.solve(&right).unwrap();
        for row in 0..6 {
            let sum: f64 = (0..6).map(|column| dense[row][column] * found[column / 2][column % 2]).sum();
            assert!((sum - right[row / 2][row % 2]).abs() < 1e-11, "{row}: {sum}");
        }
    }
}
