(defn setup [n] n)

(defn main [n]
  (setv squares (lfor  x (range n)  (* x x)))
  (sum (lfor  x squares  :if (= (% x 3) 1)  x)))
