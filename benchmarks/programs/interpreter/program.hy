(defn setup [n]
  [#("push" n) #("store" 0)
   #("load" 0) #("load" 0) #("mul") #("load" 1) #("add") #("store" 1)
   #("load" 0) #("push" 1) #("sub") #("store" 0)
   #("load" 0) #("jump-if" 2)
   #("halt")])

(defn main [code]
  (setv pc 0
        stack []
        slots [0 0])
  (while True
    (setv instruction (get code pc))
    (+= pc 1)
    (match instruction
      ["push" value] (.append stack value)
      ["load" slot] (.append stack (get slots slot))
      ["store" slot] (setv (get slots slot) (.pop stack))
      ["add"] (do (setv right (.pop stack)) (.append stack (+ (.pop stack) right)))
      ["sub"] (do (setv right (.pop stack)) (.append stack (- (.pop stack) right)))
      ["mul"] (do (setv right (.pop stack)) (.append stack (* (.pop stack) right)))
      ["jump-if" target] (when (!= (.pop stack) 0) (setv pc target))
      ["halt"] (return (get slots 1)))))
